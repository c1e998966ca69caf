/** Runs `open` while every <style> that it makes becomes a constructed style sheet: xterm writes its
 * rules into style elements, which the page's content security policy rightly forbids, while sheets
 * that a script constructs are allowed. Returns what takes the sheets away again. */
export function withAdoptedStyles(open: () => void): () => void {
  const sheets: CSSStyleSheet[] = [];
  const create = document.createElement;
  document.createElement = function (this: Document, name: string, options?: ElementCreationOptions) {
    if (name !== 'style') return create.call(this, name, options);
    const sheet = new CSSStyleSheet();
    sheets.push(sheet);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const stand_in = create.call(this, 'template');
    let text = '';
    Object.defineProperty(stand_in, 'textContent', {
      get: () => text,
      set: (value: string) => sheet.replaceSync((text = value)),
    });
    return stand_in;
  } as typeof document.createElement;
  try {
    open();
  } finally {
    document.createElement = create;
  }
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter(
      (sheet) => !sheets.includes(sheet),
    );
  };
}
