// The search of each page. Its index is loaded when somebody begins to type.
new window.PagefindUI({
  element: "#search",
  showSubResults: true,
  showImages: false,
  resetStyles: false,
});
