import { reprise } from "reprise";

const [largest] = await reprise.cache.entries({ sort: "size", limit: 1 });
console.log(largest?.entry.step, largest?.size, largest?.state);

const { use, misses } = await reprise.cache.stats();
console.log(use.hitRate, misses[0]?.part, misses[0]?.share);

const results = await reprise.cache.why("square");
console.log(results.map(({ obstacles, differences }) => [obstacles.length, differences.length]));
