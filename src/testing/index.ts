/** Contracts for what users and adapters add to Reprise: published as `reprise/testing`. */
export { testMaterializer } from "./materializer-contract.ts";
