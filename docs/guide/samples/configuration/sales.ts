import { pipeline, step } from "reprise";

const readSales = step({ name: "read_sales", run: () => ({ sales: [12, 7, 30] }) });

const sum = step({
  name: "sum",
  run: ({ sales }: { sales: number[] }) => sales.reduce((total, each) => total + each, 0),
});

export const sales = pipeline({ name: "sales", build: () => sum({ sales: readSales().sales }) });
