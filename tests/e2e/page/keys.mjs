// The page by keyboard alone, for those who cannot see it, and in both colours.
import { readFileSync } from 'node:fs';
import { check, complaints, eventually, finish, item, kin, kubectl, open, same, says, slow, type } from './browser.mjs';

await kin('apply', '-f', 'examples/02-web.yaml');
await kubectl('rollout', 'status', 'deployment/web', `--timeout=${60 * slow}s`);
await kubectl('run', 'client', '--image=busybox', '--command', '--', 'sleep', '100000');
await kubectl('wait', '--for=condition=Ready', 'pod/client', `--timeout=${60 * slow}s`);

const page = await open();
const press = async (...keys) => {
  for (const key of keys) await page.keyboard.press(key);
};
const focused = () =>
  page.evaluate(() => {
    const on = document.activeElement;
    return on?.getAttribute("aria-label") ?? on?.querySelector(".hidden")?.textContent ?? on?.textContent ?? "";
  });
const onFocus = (pattern) => eventually(async () => pattern.test(await focused()), 5);

await check('a search, and from there down into the tree', async () => {
  await press('/');
  await onFocus(/^Search$/);
  await page.keyboard.type('pod client');
  await press('Escape');
  await onFocus(/node-\d/);
  await press('ArrowDown');
  await onFocus(/^pod default\/client/);
  same(await item(page, /^pod default\/client/).getAttribute('aria-selected'), 'true');
});
await check('Enter leads to the panel, Tab and arrows through it', async () => {
  await press('Enter');
  await onFocus(/^Pod client$/);
  await press('Tab', 'Tab', 'Tab');
  await onFocus(/^Overview$/);
  await press('ArrowRight');
  await onFocus(/^Network$/);
  await eventually(async () => /default via/.test(await page.locator('#tabpanel').innerText()));
});
await check('x opens a shell, Ctrl Shift Esc leaves it, c comes back', async () => {
  await press('x');
  await says(page, /client:\/# /);
  await type(page, 'hostname -i\n');
  await says(page, /^10\.244\./m);
  await press('Control+Shift+Escape');
  await onFocus(/client/);
  await press('c');
  await type(page, 'echo back-again\n');
  await says(page, /^back-again/m);
  await press('Control+Shift+Escape');
});
await check('a shell runs on while events are looked at, and can be used there', async () => {
  await press('c');
  await type(page, 'kept=still-here\n');
  await page.getByRole('button', { name: 'Events', exact: true }).click();
  await page.getByRole('row', { name: /Started/ }).first().waitFor();
  await press('c');
  await type(page, 'echo "$kept"\n');
  await says(page, /^still-here/m);
  await page.getByRole('button', { name: 'Map', exact: true }).click();
  await press('c');
  await type(page, 'echo and-"$kept"\n');
  await says(page, /^and-still-here/m);
  await press('Control+Shift+Escape');
  await onFocus(/client/);
});
await check('letters toggle what the map shows', async () => {
  const policy = page.getByRole('button', { name: 'Policy' });
  same(await policy.getAttribute('aria-pressed'), 'true');
  await press('p');
  same(await policy.getAttribute('aria-pressed'), 'false');
  await press('p');
});
await check('the map zooms and moves', async () => {
  const percent = () => page.locator('.mapbar output').textContent();
  const before = await percent();
  await press('+');
  await eventually(async () => (await percent()) !== before);
  const place = () => item(page, /^node node-1/).getAttribute('data-kin-xy');
  const from = await place();
  await press('Shift+ArrowLeft');
  await eventually(async () => (await place()) !== from);
  await press('0');
  await eventually(async () => (await percent()) === before);
});
await check('and is where it was after a look at events', async () => {
  const percent = () => page.locator('.mapbar output').textContent();
  await press('+');
  const before = await percent();
  await press('2', '1');
  same(await percent(), before);
  await press('0');
});
await check('? shows the keys, Escape closes one thing after the other', async () => {
  await press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
  await press('Escape');
  await page.getByRole('complementary').waitFor({ state: 'detached' });
});
await check('2 shows events and 1 the map; 8 does what 2 does', async () => {
  for (const key of ['2', '8']) {
    await press(key);
    await page.getByRole('row', { name: /Started/ }).first().waitFor();
    await press('1');
    await item(page, /^node node-1/).waitFor();
  }
});
await check('the tree folds and unfolds, and goes to its ends', async () => {
  await page.locator('#search').fill('');
  await item(page, /^node node-1/).waitFor();
  await page.evaluate(() => document.querySelector('[data-id="host/node-1"]').focus());
  await press('ArrowLeft');
  await press('ArrowLeft');
  same(await item(page, /^node node-1/).getAttribute('aria-expanded'), 'false');
  await press('ArrowRight');
  same(await item(page, /^node node-1/).getAttribute('aria-expanded'), 'true');
  await press('Home');
  await onFocus(/^Services$/);
  await press('End');
  await onFocus(/^router/);
});
await check('where the focused pod goes the focus stays in the tree', async () => {
  await kubectl('run', 'goer', '--image=busybox', '--command', '--', 'sleep', '100000');
  await item(page, /^pod default\/goer, Running, ready/).click();
  await onFocus(/^pod default\/goer/);
  await kubectl('delete', 'pod', 'goer', '--now');
  await item(page, /goer/).waitFor({ state: 'detached' });
  await eventually(() => page.evaluate(() => document.activeElement.matches('[role=treeitem]')), 5);
  await press('Home');
  await onFocus(/^Services$/);
});
await check('what is closed gives the focus back', async () => {
  await page.getByRole('button', { name: 'Keys' }).press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).press('Enter');
  await onFocus(/^Keys$/);
  await item(page, /^pod default\/client/).click();
  await page.getByRole('complementary').getByRole('button', { name: 'Close' }).press('Enter');
  await onFocus(/^pod default\/client/);
});
await check('Enter in the tree opens a panel and goes there', async () => {
  await press('Enter');
  await onFocus(/^Pod client$/);
});
await check('closing one of several terminals leaves the focus at the next', async () => {
  await item(page, /^node node-2/).click();
  await press('x');
  await says(page, /node-2:\/# /);
  await page.getByRole('button', { name: 'Close the terminal in node-2' }).press('Enter');
  await onFocus(/^client$/);
});
await check('without the tree a terminal is no trap', async () => {
  await item(page, /^pod default\/client/).focus();
  await press('t');
  await onFocus(/^client$/);
  for (const chord of ['Control+Shift+Escape', 'Control+Shift+L']) {
    await press('c');
    await eventually(() => page.evaluate(() => document.activeElement.closest('.console') !== null), 5);
    await press(chord);
    await onFocus(/^client$/);
  }
  await page.getByRole('button', { name: 'Close the terminal in client' }).press('Enter');
  await eventually(() => page.evaluate(() => document.activeElement.matches('main')), 5);
  await press('t');
  await item(page, /^pod default\/client/).waitFor();
});
await check('behind the sheet keys do nothing, and they can be switched off for good', async () => {
  const policy = page.getByRole('button', { name: 'Policy' });
  const pressed = (value) => eventually(async () => (await policy.getAttribute('aria-pressed')) === value);
  const single = page.getByRole('checkbox', { name: 'single keys' });
  await press('?', 'p');
  await single.press(' ');
  await press('Escape', 'p');
  await pressed('true');
  await page.reload();
  await item(page, /^node node-1/).waitFor();
  await press('p');
  await pressed('true');
  await page.getByRole('button', { name: 'Keys' }).press('Enter');
  await single.press(' ');
  await press('Escape', 'p');
  await pressed('false');
  await press('p');
});
await check('only one item of the tree is a stop for Tab', async () =>
  same(await page.locator('[role=treeitem][tabindex="0"]').count(), 1));
await check('an address holds a view', async () => {
  await item(page, /^pod default\/client/).click();
  await page.getByRole('tab', { name: 'YAML' }).click();
  await eventually(() => /sel=pod\/default\/client&tab=yaml/.test(page.url()));
  await page.reload();
  await page.getByRole('tab', { name: 'YAML', selected: true }).waitFor();
});

const axe = readFileSync(new URL('../../../web/app/node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const clean = async (on) => {
  await on.evaluate(axe);
  const { violations } = await on.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  same(
    violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`),
    [],
  );
};
for (const colorScheme of ['light', 'dark']) {
  const themed = await open({ colorScheme, reducedMotion: 'reduce' });
  const ask = (what, sentence) =>
    check(`axe finds nothing: ${sentence}, ${colorScheme}`, async () => {
      await what();
      await clean(themed);
    });
  await check(`${colorScheme} is what the desktop asks for`, async () =>
    same(await themed.evaluate(() => document.documentElement.dataset.scheme), colorScheme));
  await ask(async () => {}, 'the map');
  for (const [kind, name] of [['pod', /^pod default\/client/], ['Service', /^Service default\/web/], ['node', /^node node-1/]])
    await ask(async () => {
      await item(themed, name).click();
      await themed.getByRole('complementary').waitFor();
    }, `the panel of a ${kind}`);
  await item(themed, /^Service default\/web/).click();
  for (const name of ['Rules', 'Events', 'YAML'])
    await ask(() => themed.getByRole('tab', { name }).click(), `its tab ${name}`);
  await ask(async () => {
    await item(themed, /^pod default\/client/).click();
    await themed.getByRole('button', { name: 'Shell' }).click();
    await says(themed, /client:\/# /);
  }, 'with a terminal');
  await themed.keyboard.press('Control+Shift+Escape');
  await ask(async () => {
    await themed.keyboard.press('?');
    await themed.getByRole('dialog').waitFor();
  }, 'the sheet of keys');
  await themed.keyboard.press('Escape');
  await ask(async () => {
    await themed.keyboard.press('2');
    await themed.getByRole('row', { name: /Started/ }).first().waitFor();
  }, 'events');
  await themed.context().close();
  const stranger = await open({ login: false, colorScheme });
  await check(`axe finds nothing: for those without a link, ${colorScheme}`, async () => {
    await stranger.goto(new URL('/', page.url()).href);
    await stranger.getByRole('heading', { name: /Run kin ui/ }).waitFor();
    await clean(stranger);
  });
  await stranger.context().close();
}
await check('no script failed and no rule of the content security policy was broken', () =>
  same(complaints, []));
await finish();
