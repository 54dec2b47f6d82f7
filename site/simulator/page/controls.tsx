/** What is run: the seed, its plan, a mistake; and the buttons. */
import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { type Address, SEED_MAX, SEED_RULE, seedOf } from "../model/address.ts";
import {
  choices,
  problem,
  runNextSeed,
  running,
  runSeed,
  searchSeeds,
  stopRun,
  wanted,
} from "./state.ts";

export function Controls(): JSX.Element {
  const { seed, plan, placement, mistake } = wanted.value;
  const typed = useSignal("");
  const typedSeed = seedOf(typed.value);
  // Another seed than was typed is run next, or was found by a search.
  const isOver = typed.value === "" || (typedSeed !== undefined && typedSeed !== seed);
  const isWrong = !isOver && typedSeed === undefined;
  const change = (changed: Partial<Address>): void => {
    wanted.value = { ...wanted.value, ...changed, atMs: undefined };
  };
  const onSeed = (text: string): void => {
    const next = seedOf(text);
    if (next !== undefined) change({ seed: next });
    typed.value = text === "" ? " " : text;
  };
  return (
    <form
      class="controls"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isWrong) runSeed();
      }}
    >
      <label>
        Seed
        <input
          type="text"
          inputMode="numeric"
          maxLength={String(SEED_MAX).length}
          size={11}
          value={isOver ? String(seed) : typed.value.trim()}
          aria-invalid={isWrong}
          onInput={(event) => onSeed(event.currentTarget.value)}
        />
      </label>
      <Choice
        label="Plan"
        none="as the seed draws it"
        values={choices.plans}
        value={plan}
        onChange={(chosen) => change({ plan: chosen })}
      />
      <Choice
        label="Threads of a node"
        none="as the seed draws them"
        values={choices.placements}
        value={placement}
        onChange={(chosen) => change({ placement: chosen })}
      />
      <Choice
        label="Planted mistake"
        none="none: zooid as it is"
        values={choices.mistakes.map(({ name }) => name)}
        texts={choices.mistakes.map((each) => each.mistake)}
        value={mistake}
        onChange={(chosen) => change({ mistake: chosen })}
      />
      <Buttons isWrong={isWrong} />
      <Problem text={isWrong ? SEED_RULE : problem.value} />
    </form>
  );
}

function Buttons({ isWrong }: { readonly isWrong: boolean }): JSX.Element {
  const isBusy = running.value !== undefined;
  const isIdle = !isBusy && !isWrong;
  return (
    <p class="buttons">
      <button type="submit" disabled={!isIdle}>
        Run
      </button>
      <button type="button" disabled={!isIdle} onClick={runNextSeed}>
        Next seed
      </button>
      <button type="button" disabled={!isIdle} onClick={searchSeeds}>
        Run on until a seed fails
      </button>
      <button type="button" disabled={!isBusy} onClick={stopRun}>
        Stop
      </button>
    </p>
  );
}

function Problem({ text }: { readonly text: string }): JSX.Element | null {
  if (text === "") return null;
  return (
    <p class="problem" role="alert">
      {text}
    </p>
  );
}

function Choice(props: {
  readonly label: string;
  readonly none: string;
  readonly values: readonly string[];
  /** Default: the values themselves. */
  readonly texts?: readonly string[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const { label, none, values, texts = values, value, onChange } = props;
  // What the address names may not be there; the run says so.
  const isListed = value === "" || values.includes(value);
  return (
    <label>
      {label}
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        <option value="">{none}</option>
        {!isListed && <option value={value}>{value}</option>}
        {values.map((each, index) => (
          <option key={each} value={each}>
            {texts[index]}
          </option>
        ))}
      </select>
    </label>
  );
}
