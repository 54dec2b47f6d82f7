/** The simulator as a page of the site. */
import { type JSX, render } from "preact";
import { Controls } from "./controls.tsx";
import { Events, Legend, Nodes } from "./lists.tsx";
import { Result } from "./result.tsx";
import { Stage } from "./stage.tsx";
import { shown } from "./state.ts";
import { TimeBar } from "./time-bar.tsx";
import "./page.css";

function App(): JSX.Element {
  const result = shown.value;
  return (
    <>
      <Controls />
      <Result />
      {result !== undefined && (
        <section class="run" aria-label={`The run of seed ${result.address.seed}`}>
          <TimeBar result={result} />
          <Stage result={result} />
          <Events />
          <Legend />
          <Nodes result={result} />
        </section>
      )}
    </>
  );
}

const root = document.querySelector("#simulator");
if (root !== null) {
  root.replaceChildren();
  render(<App />, root);
}
