import { testBlobStore } from "../testing/blob-store-contract.ts";
import { openMemoryBlobStore } from "./memory-blob-store.ts";

testBlobStore("the store in memory", async () => openMemoryBlobStore());
