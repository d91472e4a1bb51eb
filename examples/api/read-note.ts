import type { NoteText } from './notes.ts';

const maxCharacters = 10_000;

/** Reads a note from JSON. @returns the note, or what is wrong with it */
export function readNote(body: unknown): NoteText | string {
  if (typeof body !== 'object' || body === null) return 'a note is an object: {"text": "…", "tags": ["…"]}';
  const text = 'text' in body ? body.text : undefined;
  const tags = 'tags' in body ? body.tags : [];
  if (typeof text !== 'string' || text === '' || text.length > maxCharacters) return `text is a string of 1 to ${maxCharacters} characters`;
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) return 'tags is a list of strings';
  return { text, tags };
}
