export function rate(text: string): number {
  return text.length;
}
