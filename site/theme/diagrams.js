// Draws the diagrams of a page, which it has as text, in light or in dark.
const dark = matchMedia("(prefers-color-scheme: dark)");
const diagrams = [...document.querySelectorAll("pre.language-mermaid")].map((pre) => {
  const figure = document.createElement("figure");
  return { pre, figure, text: pre.textContent };
});

async function draw() {
  window.mermaid.initialize({ startOnLoad: false, theme: dark.matches ? "dark" : "default" });
  for (const [index, { pre, figure, text }] of diagrams.entries()) {
    const { svg } = await window.mermaid.render(`diagram-${index}`, text);
    figure.innerHTML = svg;
    pre.replaceWith(figure);
  }
}

dark.addEventListener("change", () => void draw());
void draw();
