/** Turning values into bytes and back. */
export { bytes } from "./bytes.ts";
export { directory } from "./directory.ts";
export { csv, html, markdown, svg, type DocumentFormat, type TextDocument } from "./document.ts";
export { file } from "./file.ts";
export { jpeg, png, type Image, type ImageFormat } from "./image.ts";
export { json } from "./json.ts";
export type { DType, NumberArray } from "./npy.ts";
export { createRegistry, type Registry } from "./registry.ts";
export type { StoredDirectory } from "./stored-directory.ts";
export type { StoredFile } from "./stored-file.ts";
export { loadValue, storeValue, type StoredValue, type StoreOptions } from "./stored-value.ts";
export { table, type ArrowTable, type Cell, type ColumnType, type Table, type TableColumn } from "./table.ts";
export { tensor, type Tensor } from "./tensor.ts";
export { text } from "./text.ts";
