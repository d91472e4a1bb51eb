/** What this function reads of an HTTP event (AWS Lambda’s function URL format, payload 2.0). */
interface HttpEvent {
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** What it reads when it is invoked directly: `swiftlet invoke hello --data '{"name": "Ada"}'`. */
interface DirectEvent {
  readonly name?: unknown;
}

interface Context {
  readonly functionVersion: string;
}

interface Greeting {
  readonly message: string;
  readonly version: string;
}

/** Greets whoever the query, the JSON body or the event itself names. */
export function handler(event: HttpEvent & DirectEvent, context: Context): Greeting {
  const name = nameIn(event) ?? 'world';
  console.log(`greeting ${name}`);
  return { message: `Hello, ${name}!`, version: context.functionVersion };
}

function nameIn(event: HttpEvent & DirectEvent): string | undefined {
  const asked = event.queryStringParameters?.['name'] ?? event.name ?? bodyOf(event)?.name;
  return typeof asked === 'string' && asked.trim() !== '' ? asked.trim() : undefined;
}

function bodyOf({ body, isBase64Encoded }: HttpEvent): DirectEvent | undefined {
  if (body === undefined) return undefined;
  try {
    const text = isBase64Encoded === true ? Buffer.from(body, 'base64').toString() : body;
    return JSON.parse(text) as DirectEvent;
  } catch {
    // Not JSON: nobody is named in it.
    return undefined;
  }
}
