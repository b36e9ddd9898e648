/** Contracts for what users and adapters add to Reprise: published as `reprise/testing`. */
export { testBlobStore } from "./blob-store-contract.ts";
export { testMaterializer } from "./materializer-contract.ts";
export { testMetadataStore } from "./metadata-store-contract.ts";
