// Which view the address names: "#/topics/a%2Fb" is the view `topics` with "a/b". A view is a function that fills the
// element it is given and returns one that ends it.

export function startRouter(main, views) {
  let end = () => {};
  let first = true;

  function show() {
    const [name = '', rest = ''] = location.hash.replace(/^#\/?/, '').split(/\/(.*)/s);
    const view = views[rest ? `${name}/` : name] ?? views[''];
    end();
    main.replaceChildren();
    const { title, end: endView } = view(main, decode(rest));
    end = endView;
    document.title = `${title} · freshet`;
    for (const link of document.querySelectorAll('.bar nav a')) {
      const current = new URL(link.href).hash.replace(/^#\/?/, '') === name && link.href.includes('#');
      current ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
    }
    if (!first) {
      main.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    first = false;
  }

  addEventListener('hashchange', show);
  show();
}

// What somebody typed need not be an encoding.
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const topicHref = (topic) => `#/topics/${encodeURIComponent(topic)}`;
