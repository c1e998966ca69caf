// Pictures of every screen, light and dark, for people to look at: node pictures.mjs FOLDER
import { mkdirSync } from 'node:fs';
import { api, finish, item, kin, kubectl, open, says, slow, type } from './browser.mjs';

const folder = process.argv[2] ?? 'build/pictures';
mkdirSync(folder, { recursive: true });
const ways = `${process.env.KIN_CNI}-${process.env.KIN_OVERLAY}`;

const pod = (name, image, labels, command) => ({
  metadata: { name, labels },
  spec: { containers: [{ name: 'c', image, ...(command ? { command } : { ports: [{ containerPort: 80 }] }) }] },
});
const core = '/api/v1/namespaces/default';
const networking = '/apis/networking.k8s.io/v1/namespaces/default';
await kin('apply', '-f', 'examples/02-web.yaml');
await api('POST', `${core}/pods`, pod('db', 'redis', { app: 'db' }));
await api('POST', `${core}/pods`, pod('client', 'busybox', { app: 'client' }, ['sleep', '100000']));
await api('POST', `${core}/pods`, { metadata: { name: 'broken' }, spec: { containers: [{ name: 'c', image: 'no-such-image' }] } });
await api('POST', `${core}/services`, { metadata: { name: 'db' }, spec: { selector: { app: 'db' }, ports: [{ port: 6379 }] } });
await api('POST', `${networking}/ingresses`, {
  metadata: { name: 'shop' },
  spec: {
    rules: [
      {
        host: 'shop.example.com',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
      },
    ],
  },
});
await api('POST', `${networking}/networkpolicies`, {
  metadata: { name: 'db-from-web' },
  spec: {
    podSelector: { matchLabels: { app: 'db' } },
    policyTypes: ['Ingress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }],
  },
});
await kubectl('rollout', 'status', 'deployment/web', `--timeout=${60 * slow}s`);
await kubectl('wait', '--for=condition=Ready', 'pod/db', 'pod/client', `--timeout=${60 * slow}s`);

for (const colorScheme of ['light', 'dark']) {
  const page = await open({ colorScheme, reducedMotion: 'reduce' });
  const shoot = async (name) => {
    // What has just changed is marked for a moment.
    await page.waitForTimeout(1800);
    await page.screenshot({ path: `${folder}/${name}-${colorScheme}.png` });
  };
  const shell = async (name, words, answer) => {
    await item(page, name).click();
    await page.getByRole('button', { name: 'Shell' }).click();
    await says(page, /:\/# /);
    await type(page, words);
    await says(page, answer);
  };
  if (ways !== 'ptp-none') {
    // What looks otherwise in such a lab.
    await shoot(`map-${ways}`);
    await item(page, /^node node-2/).click();
    await shoot(`node-${ways}`);
    await page.context().close();
    continue;
  }
  await shoot('map');
  await item(page, /^pod default\/db/).click();
  await shoot('pod');
  for (const tab of ['Network', 'Rules', 'DNS', 'Events', 'YAML']) {
    await page.getByRole('tab', { name: tab }).click();
    await shoot(`pod-${tab.toLowerCase()}`);
  }
  await shell(/^pod default\/client/, 'for i in 1 2 3 4 5 6 7 8; do wget -qO- web >/dev/null; done; wget -qO- web | head -4\n', /Welcome to nginx/);
  await shoot('terminal');
  await type(page, 'wget -T 2 -qO- db:6379\n');
  await says(page, /timed out/);
  await shoot('drop');
  await shell(/^node node-2/, 'ip route; nft list tables\n', /table ip kube-proxy/);
  await shoot('node');
  for (const [name, title] of [[/^Service default\/web/, 'service'], [/^Ingress default\/shop/, 'ingress'], [/^NetworkPolicy/, 'policy']]) {
    await item(page, name).click();
    await shoot(title);
  }
  await page.keyboard.press('?');
  await shoot('keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('2');
  await shoot('events');
  const stranger = await open({ login: false, colorScheme });
  await stranger.goto(new URL('/', page.url()).href);
  await stranger.screenshot({ path: `${folder}/no-link-${colorScheme}.png` });
  await page.context().close();
  await stranger.context().close();
}
await finish();
