// Before the first paint, so that a chosen theme does not flash: a file, because the policy allows no inline script.
const chosen = localStorage.getItem('portcullis-theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
