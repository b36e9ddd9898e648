/** Methods of the language's own values, by what they do with what they are given. */

/** Methods of the language's own values that call what they are given. */
export const callbackMethods = new Set(
  (
    "? map filter forEach reduce reduceRight some every find findIndex findLast findLastIndex flatMap sort toSorted " +
    "replace replaceAll then catch finally addEventListener getOrInsertComputed"
  ).split(" "),
);

/** Methods that change nothing in the value of the language that they are called on. */
export const readingMethods = new Set(
  (
    "map filter reduce reduceRight some every find findIndex findLast findLastIndex flatMap forEach slice concat flat " +
    "join includes indexOf lastIndexOf at keys values entries toSorted toReversed toSpliced with has get split trim " +
    "trimStart trimEnd toUpperCase toLowerCase replace replaceAll repeat padStart padEnd substring charAt charCodeAt " +
    "codePointAt startsWith endsWith match matchAll search localeCompare normalize toString toFixed toPrecision " +
    "valueOf toLocaleString hasOwnProperty"
  ).split(" "),
);

/** Methods of the language's own values that answer with another such value. */
export const derivingMethods = new Set(
  (
    "map filter slice concat flat flatMap sort reverse toSorted toReversed toSpliced with fill join split trim " +
    "trimStart trimEnd toUpperCase toLowerCase replace replaceAll repeat padStart padEnd substring toString keys " +
    "values entries toFixed localeCompare normalize matchAll union intersection difference"
  ).split(" "),
);

/** Methods that change the array, map, set, date or the like that they are called on. */
export const mutatingMethods = new Set(
  (
    "push pop shift unshift splice sort reverse fill copyWithin set add delete clear append setTime setDate setMonth " +
    "setFullYear setHours setMinutes setSeconds setMilliseconds getOrInsert getOrInsertComputed"
  ).split(" "),
);

/** The same, and names under which caches of other makes take something in. */
export const changingMethods = new Set([
  ...mutatingMethods,
  ..."put store insert setItem save prime".split(" "),
  // Of buffers, emitters, controllers and promises.
  ..."write on once addListener prependListener addEventListener abort resolve reject enterWith".split(" "),
]);

/** The same for the many that buffers and views have: `writeInt32LE`, `setFloat64`. */
export function isChangingMethod(name: string): boolean {
  return changingMethods.has(name) || /^(?:write|set)(?:Big)?(?:U?[Ii]nt|Float|Double)\d*/u.test(name);
}

/** Methods that change an argument of theirs, and which. */
export const fillingMethods: ReadonlyMap<string, number> = new Map([
  ["copy", 0],
  ["encodeInto", 1],
  ["readSync", 1],
  ["read", 1],
  ["randomFillSync", 0],
  ["randomFill", 0],
]);

/** Functions of packages that change what they are given, by the names that such functions have. */
export const fillingFunctions = new Set(
  "assign assignIn merge mergeWith set setWith unset update defaults defaultsDeep extend pull pullAll remove fill".split(
    " ",
  ),
);
