/* An element of the browser inside one of WeChat's, its host. */
export function inside(host, tag, attributes = {}) {
  const made = document.createElement(tag);
  Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
  host.appendChild(made);
  return made;
}
