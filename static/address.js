// The page's address where a script changes it: there the reader comes back to from the choice of another language.

export function setAddress(address) {
  history.replaceState(null, "", address);
  document.querySelector(".language [name=back]").value = location.pathname + location.search;
}
