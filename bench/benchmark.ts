/** One benchmark of `npm run bench`: a row of the table in `run.ts`. */

export type Line = Readonly<{ what: string; measured: string; toReach: string; floor: string }>
/** What the command line asked for; a benchmark takes what concerns it. `processes`: which of `eight`, `two` and `up` on Kafka (`null`: all). */
type Asked = Readonly<{ seconds: number; rate: number; kafkaRate: number; processes: readonly string[] | null; diskFloor: string }>
/** `result` goes into the JSON under the benchmark's name. */
export type Outcome = Readonly<{ lines: readonly Line[]; result: unknown }>
export type Benchmark = (asked: Asked) => Promise<Outcome>
