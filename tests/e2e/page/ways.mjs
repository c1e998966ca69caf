// How pods hang on nodes and how nodes are joined, as the page shows it and as the kernel has it.
import { readFileSync } from 'node:fs';
import { check, complaints, eventually, finish, item, kin, open, same } from './browser.mjs';

const bridged = process.env.KIN_CNI === 'bridge';
const tunnelled = process.env.KIN_OVERLAY === 'vxlan';
const page = await open();

/** What the kernel of node-2 says of a link, '' if there is none. */
const link = (name) => kin('exec', 'node-2', '--', 'ip', '-d', 'address', 'show', name).catch(() => '');
const addressOf = (text) => /inet (\S+)/.exec(text)?.[1];
const [cni0, vxlan] = [await link('cni0'), await link('vxlan.1')];

await check('the kernel has what the lab was told to have', () =>
  same([cni0 !== '', vxlan !== ''], [bridged, tunnelled]));
await check('the tree says what a node holds for it, and nothing else', async () => {
  const words = [
    bridged && `, pods on bridge cni0 ${addressOf(cni0)}`,
    tunnelled && ', tunnel vxlan.1 to the other nodes',
  ];
  const wanted = `node node-2, 172.30.0.3${words.filter(Boolean).join('')}`;
  await eventually(async () => (await item(page, /^node node-2/).locator('.hidden').textContent()) === wanted);
});
await check('so does the panel of the node', async () => {
  await item(page, /^node node-2/).click();
  const fact = (name) =>
    page.locator('#tabpanel dl.facts > div', { has: page.getByText(name, { exact: true }) }).locator('dd').innerText();
  same(await fact('Pods attached'), bridged ? 'bridge (cni0, isolated ports)' : 'ptp (a routed veth each)');
  const between = await fact('Between nodes');
  if (!tunnelled) return same(between, 'plain routes');
  const [, id] = /vxlan id (\d+) /.exec(vxlan);
  const [, port] = /dstport (\d+) /.exec(vxlan);
  const [, mtu] = / mtu (\d+) /.exec(vxlan);
  same(between, `VXLAN (vxlan.1, VNI ${id}, UDP ${port}, MTU ${mtu})`);
});
await check('and the map, as a picture that can be kept', async () => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'SVG' }).click(),
  ]);
  const picture = readFileSync(await download.path(), 'utf8');
  const texts = [...picture.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);
  const drawn = (name) => texts.filter((text) => text.startsWith(`${name} `));
  const all = (words) => [1, 2, 3].map(words);
  same(drawn('cni0'), bridged ? all((n) => `cni0 10.244.${n}.1/24`) : []);
  same(drawn('vxlan.1'), tunnelled ? all((n) => `vxlan.1 10.244.${n}.0`) : []);
  same(texts.filter((text) => text.startsWith('vxlan.1: a tunnel')).length, tunnelled ? 1 : 0);
});
await check('the map stays sharp when its window comes to another screen', async () => {
  const canvas = page.locator('section.chart canvas');
  const pixels = () => canvas.evaluate((it) => it.width / it.clientWidth);
  const devtools = await page.context().newCDPSession(page);
  const { width, height } = page.viewportSize();
  // Chromium tells the page of an emulated density only when the window's size changes with it; the map
  // would hear of its own size.
  await canvas.evaluate(({ parentElement: { style } }) => {
    [style.position, style.width, style.height] = ['absolute', '600px', '400px'];
  });
  for (const [turn, deviceScaleFactor] of [1, 2, 1.5, 1].entries()) {
    const metrics = { width: width + turn, height, deviceScaleFactor, mobile: false };
    await devtools.send('Emulation.setDeviceMetricsOverride', metrics);
    await eventually(async () => Math.abs((await pixels()) - deviceScaleFactor) < 0.01);
  }
});
await check('no script failed and no rule of the content security policy was broken', () =>
  same(complaints, []));
await finish();
