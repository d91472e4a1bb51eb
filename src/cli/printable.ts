const escapes: Readonly<Record<string, string>> = { '\u001b': '\\e', '\r': '\\r', '\b': '\\b' };

/**
 * Text of others as a terminal may see it: lines and tabs stay, every other control character is shown instead of sent, so that
 * what a function writes cannot move the cursor, retitle the window or rewrite what stands above.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => {
    return escapes[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
