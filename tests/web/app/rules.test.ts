import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowed, type Peer, type PolicySpec } from '../../../web/app/src/model/rules';

const words = (spec: PolicySpec, way: 'ingress' | 'egress' = 'ingress') => allowed(spec, way, 'shop');
const peer = (one: Peer) => words({ ingress: [{ from: [one] }] })![0]!.peers[0];

test('a policy without rules allows nobody, one without the direction has no say', () => {
  assert.deepEqual(words({ policyTypes: ['Ingress'] }), []);
  assert.equal(words({ policyTypes: ['Ingress'] }, 'egress'), null);
  assert.equal(words({ policyTypes: ['Egress'] }), null);
  assert.deepEqual(words({ policyTypes: ['Egress'], egress: [] }, 'egress'), []);
});

test('without types it is about what comes in, and about what goes out if it has rules for that', () => {
  assert.deepEqual(words({}), []);
  assert.equal(words({}, 'egress'), null);
  assert.equal(words({ egress: [{}] }, 'egress')!.length, 1);
});

test('a rule without peers or ports allows all of them', () => {
  const everything = { peers: ['anybody, also outside of the cluster'], ports: 'every port' };
  assert.deepEqual(words({ ingress: [{}] }), [everything]);
  assert.deepEqual(words({ ingress: [{ from: [], ports: [] }] }), [everything]);
});

test('peers say which pods of which namespaces they are', () => {
  const app = { matchLabels: { app: 'web' } };
  assert.equal(peer({ podSelector: app }), 'pods with app=web of shop');
  assert.equal(peer({ podSelector: {} }), 'every pod of shop');
  assert.equal(peer({ namespaceSelector: {} }), 'every pod of every namespace');
  assert.equal(peer({ namespaceSelector: { matchLabels: { team: 'a' } } }), 'every pod of namespaces with team=a');
  assert.equal(peer({ podSelector: app, namespaceSelector: {} }), 'pods with app=web of every namespace');
});

test('selectors have all operators', () => {
  const matchExpressions = [
    { key: 'a', operator: 'In', values: ['x', 'y'] },
    { key: 'b', operator: 'In', values: ['z'] },
    { key: 'c', operator: 'NotIn', values: ['x', 'y'] },
    { key: 'd', operator: 'Exists' },
    { key: 'e', operator: 'DoesNotExist' },
  ];
  assert.equal(
    peer({ podSelector: { matchExpressions } }),
    'pods with a in (x, y) and b=z and c not in (x, y) and label d and no label e of shop',
  );
});

test('addresses have exceptions, ports have names and ranges', () => {
  const ipBlock = { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.2.0.0/16'] };
  assert.equal(peer({ ipBlock }), 'addresses in 10.0.0.0/8, but not 10.1.0.0/16, 10.2.0.0/16');
  const ports = [{ port: 80 }, { port: 'web', protocol: 'UDP' }, { port: 1, endPort: 9 }, { protocol: 'SCTP' }];
  assert.equal(words({ egress: [{ ports }] }, 'egress')![0]!.ports, 'TCP 80, UDP web, TCP 1 to 9, every port of SCTP');
});
