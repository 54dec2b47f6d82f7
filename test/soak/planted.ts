/** Preloaded by servers of a soak that tests the soak itself: plants the simulator's mutant that this module's URL names. */
import { MUTANTS } from "../sim/mutants/all.ts";
import { plant } from "../sim/mutants/hooks.ts";

const name = new URL(import.meta.url).searchParams.get("mutant");
const mutant = MUTANTS.find((each) => each.name === name);
if (mutant === undefined) throw new Error(`there is no mutant ${name}`);
plant(mutant);
