/** The parts of two untyped packages that the example uses. */
declare module "libsvm-js/asm.js" {
  interface Options {
    kernel: number;
    type: number;
    gamma: number;
    cost: number;
    quiet: boolean;
  }
  export default class SVM {
    static readonly KERNEL_TYPES: { readonly RBF: number };
    static readonly SVM_TYPES: { readonly C_SVC: number };
    constructor(options: Options);
    train(samples: number[][], labels: number[]): void;
    predict(samples: number[][]): number[];
    serializeModel(): string;
  }
}

declare module "ml-cart" {
  export class DecisionTreeClassifier {
    constructor(options: { maxDepth: number });
    train(samples: number[][], labels: number[]): void;
    predict(samples: number[][]): number[];
  }
}
