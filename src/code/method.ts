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
export const changingMethods = new Set([...mutatingMethods, "put", "store", "insert", "setItem", "save", "prime"]);
