// The search of each page. Its index is loaded when somebody begins to type.
new window.PagefindUI({
  element: "#search",
  showSubResults: true,
  showImages: false,
  resetStyles: false,
});
// Its own name is a tooltip, which not every screen reader speaks.
document.querySelector("#search input").setAttribute("aria-label", "Search");
