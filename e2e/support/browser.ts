/** A browser as far as signing in goes: keeps cookies, and sends the CSRF token of its session with every write. */
export class Browser {
  readonly #url: string;
  readonly #address: string;
  #cookies = new Map<string, string>();
  csrf: string | null = null;

  /** @param address what the proxy before the gateway says of this browser */
  constructor(url: string, address: string) {
    this.#url = url;
    this.#address = address;
  }

  /** A second one with the same cookies, as somebody has who stole them. */
  copy(): Browser {
    const copy = new Browser(this.#url, this.#address);
    copy.#cookies = new Map(this.#cookies);
    copy.csrf = this.csrf;
    return copy;
  }

  /** The cookies as they would be sent. */
  get cookie(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const answer = await fetch(new URL(path, this.#url), {
      method,
      redirect: 'manual',
      headers: {
        'x-forwarded-for': this.#address,
        'sec-fetch-site': 'same-origin',
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(this.csrf === null || method === 'GET' ? {} : { 'x-csrf-token': this.csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const text of answer.headers.getSetCookie()) {
      const [pair = ''] = text.split(';', 1);
      const [name = '', value = ''] = pair.split('=', 2);
      if (/Max-Age=0(?:;|$)/u.test(text)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }

  get(path: string): Promise<Response> {
    return this.send('GET', path);
  }

  post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return this.send('POST', path, body, headers);
  }

  /** Signs in and remembers the CSRF token. @throws when it is refused. */
  async login(body: object): Promise<Record<string, unknown>> {
    const answer = await this.post('/login', body);
    const told = (await answer.json()) as Record<string, unknown>;
    if (answer.status !== 200)
      throw new Error(`POST /login answered ${answer.status}: ${JSON.stringify(told)}`);
    this.csrf = String(told['csrf_token']);
    return told;
  }
}
