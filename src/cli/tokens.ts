/** A command line's words as options and their values, in the way of POSIX and GNU that `parseArgs` of Node goes too. */

/** What is to be known of an option to read it. */
export interface OptionKind {
  readonly type: string;
  readonly short?: string | undefined;
}

/** `index` is that of the word; options that share one share it. */
export type Token =
  | ({ readonly kind: "option"; readonly index: number; readonly name: string; readonly rawName: string } & {
      readonly value: string | undefined;
    })
  | { readonly kind: "positional"; readonly index: number; readonly value: string }
  | { readonly kind: "option-terminator"; readonly index: number };

/**
 * Reads words. An option takes the next word as its value, whatever that looks like, when it is known and no `boolean`. Made
 * here because loading Node's costs a twentieth of the time that `reprise --help` takes.
 */
export function toTokens(words: readonly string[], options: Readonly<Record<string, OptionKind>>): readonly Token[] {
  const tokens: Token[] = [];
  const takesValue = (name: string): boolean => Object.hasOwn(options, name) && options[name]?.type !== "boolean";
  const longName = (short: string): string =>
    Object.entries(options).find(([, option]) => option.short === short)?.[0] ?? short;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const add = (name: string, rawName: string, given?: string): void => {
      const at = index;
      const value = given ?? (takesValue(name) && index + 1 < words.length ? words[(index += 1)] : undefined);
      tokens.push({ kind: "option", index: at, name, rawName, value });
    };
    if (word === "--") {
      tokens.push({ kind: "option-terminator", index });
      for (index += 1; index < words.length; index += 1)
        tokens.push({ kind: "positional", index, value: words[index] as string });
    } else if (word.startsWith("--")) {
      const end = word.indexOf("=", 3);
      if (end === -1) add(word.slice(2), word);
      else add(word.slice(2, end), word.slice(0, end), word.slice(end + 1));
    } else if (word.startsWith("-") && word.length > 1) {
      for (let at = 1; at < word.length; at += 1) {
        const short = word[at] as string;
        const name = longName(short);
        const rest = word.slice(at + 1);
        if (rest === "" || !takesValue(name)) {
          add(name, `-${short}`);
          continue;
        }
        add(name, `-${short}`, rest);
        break;
      }
    } else tokens.push({ kind: "positional", index, value: word });
  }
  return tokens;
}
