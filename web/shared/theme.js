// Light or dark: as the system says, until somebody chooses. Sets data-theme of the root, and tells who listens for
// "themechange" on window, because what is drawn on a canvas has to be drawn anew.

const key = 'freshet.theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function apply() {
  const chosen = localStorage.getItem(key);
  if (chosen) {
    document.documentElement.dataset.theme = chosen;
  } else {
    delete document.documentElement.dataset.theme;
  }
  dispatchEvent(new Event('themechange'));
}

export const isDark = () => (localStorage.getItem(key) ?? (system.matches ? 'dark' : 'light')) === 'dark';

// Makes the button change between the two.
export function useThemeButton(button) {
  const show = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', isDark() ? 'Use light colours' : 'Use dark colours');
  };
  button.addEventListener('click', () => {
    localStorage.setItem(key, isDark() ? 'light' : 'dark');
    apply();
  });
  addEventListener('themechange', show);
  system.addEventListener('change', apply);
  apply();
}

// The colour that a token of theme.css stands for now, as a canvas takes it.
export function colour(token) {
  const probe = document.createElement('i');
  probe.hidden = true;
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
