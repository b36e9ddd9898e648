import { testMetadataStore } from "../testing/metadata-store-contract.ts";
import { openMemoryMetadataStore } from "./memory-metadata-store.ts";

testMetadataStore("the store in memory", async () => openMemoryMetadataStore());
