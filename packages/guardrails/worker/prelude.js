// Runs inside the sandbox before the code of a guardrail, and gives it its functions. `host` is the only way out, and to
// `reply` the outcome is handed.
(function prelude(host, fetchFromHost, reply) {
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const call = (name, ...args) => {
    const answer = parse(host(name, stringify(args)));
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  };
  const text = (value) => String(value ?? '');

  const verdicts = {
    allow: () => ({ action: 'allow' }),
    block: (reason) => ({ action: 'block', reason: reason === undefined ? null : text(reason) }),
    // Lists in the order of the reference, or an object of them.
    modify: (texts, images, tool_calls) =>
      typeof texts === 'object' && texts !== null && !isArray(texts)
        ? { action: 'modify', ...texts }
        : { action: 'modify', texts, images, tool_calls },
  };
  const helpers = {
    regex_match: (value, pattern) => call('regex_match', text(value), text(pattern)),
    regex_replace: (value, pattern, replacement) =>
      call('regex_replace', text(value), text(pattern), text(replacement)),
    regex_find_all: (value, pattern) => call('regex_find_all', text(value), text(pattern)),
    json_parse: (value) => {
      try {
        return parse(text(value));
      } catch {
        return null;
      }
    },
    json_stringify: (value) => stringify(value),
    json_schema_valid: (value, schema) =>
      call('json_schema_valid', stringify(value ?? null), stringify(schema)),
    extract_urls: (value) => call('extract_urls', text(value)),
    is_valid_url: (value) => call('is_valid_url', text(value)),
    all_urls_valid: (value) => call('all_urls_valid', text(value)),
    detect_code: (value) => call('detect_code_languages', text(value)).length > 0,
    detect_code_languages: (value) => call('detect_code_languages', text(value)),
    contains_code_language: (value, languages) => {
      const wanted = (isArray(languages) ? languages : [languages]).map((one) => text(one).toLowerCase());
      return call('detect_code_languages', text(value)).some((one) => wanted.includes(one));
    },
    contains: (value, part) => text(value).includes(text(part)),
    contains_any: (value, parts) => parts.some((part) => text(value).includes(text(part))),
    contains_all: (value, parts) => parts.every((part) => text(value).includes(text(part))),
    word_count: (value) =>
      text(value)
        .split(/\s+/)
        .filter((word) => word !== '').length,
    char_count: (value) => text(value).length,
    lower: (value) => text(value).toLowerCase(),
    upper: (value) => text(value).toUpperCase(),
    trim: (value) => text(value).trim(),
  };
  const request = async (url, { method = 'GET', headers = {}, body = null, timeout = 5 } = {}) => {
    const sent = body === null || typeof body === 'string' ? body : stringify(body);
    const answer = parse(
      await fetchFromHost(stringify({ url: text(url), method, headers, body: sent, timeout })),
    );
    // An answer that is JSON is given as such, as the reference does.
    let read = answer.body;
    try {
      read = parse(answer.body);
    } catch {
      // It stays a text.
    }
    return { ...answer, body: read };
  };
  const http = {
    http_request: (url, method, headers, body, timeout) => request(url, { method, headers, body, timeout }),
    http_get: (url, options = {}) => request(url, { ...options, method: 'GET', body: null }),
    http_post: (url, options = {}) => request(url, { ...options, method: 'POST' }),
  };
  for (const [name, value] of Object.entries({ ...verdicts, ...helpers, ...http })) {
    Object.defineProperty(globalThis, name, {
      value,
      writable: false,
      configurable: false,
      enumerable: false,
    });
  }
  return (fn, inputs, requestData, inputType) => {
    const done = (value) => reply(stringify({ value: value ?? null }));
    const failed = (error) => {
      const name = error instanceof Error ? text(error.name) : 'Error';
      const message = error instanceof Error ? text(error.message) : text(error);
      reply(stringify({ error: `${name}: ${message}` }));
    };
    try {
      const answer = fn(parse(inputs), parse(requestData), inputType);
      if (answer instanceof Promise) answer.then(done).catch(failed);
      else done(answer);
    } catch (error) {
      failed(error);
    }
  };
});
