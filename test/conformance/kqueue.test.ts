import { nativeConformance } from "./native-conformance.ts";

await nativeConformance("kqueue");
