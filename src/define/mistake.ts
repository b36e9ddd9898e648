declare const mistake: unique symbol;

/** No value has this type: the sentence tells what is wrong with the one that was given. */
export interface Mistake<Sentence extends string> {
  readonly [mistake]: Sentence;
}
