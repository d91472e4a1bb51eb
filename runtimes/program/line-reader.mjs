// Cuts what a program prints into lines.
const { StringDecoder } = process.getBuiltinModule('node:string_decoder');
const maxLineCharacters = 16 * 1024;

/** @param {(line: string) => void} sink @returns {(chunk: Buffer) => void} */
export function lineReader(sink) {
  const decoder = new StringDecoder();
  let begun = '';
  return (chunk) => {
    const lines = (begun + decoder.write(chunk)).split('\n');
    begun = lines.pop() ?? '';
    for (const line of lines) sink(line);
    if (begun.length <= maxLineCharacters) return;
    sink(begun);
    begun = '';
  };
}
