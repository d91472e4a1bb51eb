/** Instances over time, as a picture: in the terminal, or as SVG. */
const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

export interface Curve {
  readonly name: string;
  readonly values: readonly number[];
}

const mostOf = (curves: readonly Curve[]): number => Math.max(1, ...curves.flatMap(({ values }) => values));

/** One line for each curve, all to the same scale. */
export function sparklines(curves: readonly Curve[]): string {
  const most = mostOf(curves);
  const width = Math.max(...curves.map(({ name }) => name.length));
  return curves.map(({ name, values }) => `${name.padEnd(width)}  ${values.map((value) => blockOf(value, most)).join('')}`).join('\n');
}

const blockOf = (value: number, most: number): string =>
  value === 0 ? ' ' : (blocks[Math.min(blocks.length - 1, Math.floor((value / most) * blocks.length))] ?? '█');

const [width, height, margin, lineHeight] = [960, 360, 48, 18];
const colours = ['#0b6bcb', '#c4320a', '#1a7f37', '#8250df', '#9a6700', '#57606a'] as const;

/** @param lengthMs what the whole width is */
export function svgOf(curves: readonly Curve[], title: string, lengthMs: number): string {
  const most = mostOf(curves);
  const place = (value: number, at: number, of: number) =>
    `${(margin + (at * (width - 2 * margin)) / Math.max(1, of - 1)).toFixed(1)},${(height - margin - (value * (height - 2 * margin)) / most).toFixed(1)}`;
  const lines = curves.map(({ name, values }, at) => {
    const colour = colours[at % colours.length] ?? colours[0];
    const points = values.map((value, column) => place(value, column, values.length)).join(' ');
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points}"/>`,
      `<text x="${width - margin}" y="${margin + at * lineHeight}" text-anchor="end" fill="${colour}">${escaped(name)}</text>`,
    ].join('\n');
  });
  const axis = `<path d="M${margin},${margin} V${height - margin} H${width - margin}" fill="none" stroke="#57606a"/>`;
  const label = (x: number, y: number, text: string) => `<text x="${x}" y="${y}" fill="#57606a">${escaped(text)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    label(margin, margin / 2, title),
    label(margin / 4, margin, String(most)),
    label(width - 2 * margin, height - margin / 2, `${(lengthMs / 60_000).toFixed(0)} min`),
    axis,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
