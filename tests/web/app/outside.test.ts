import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curlOf, publishedOf } from '../../../web/app/src/model/outside';
import { ingress, service } from './things';

const to = (host: string, path: string, tls = false) =>
  curlOf({ ...ingress('shop/shop', 'web'), tls, routes: [{ host, path, service: 'web', port: '80' }] }, '172.30.200.1');

test('an Ingress is asked for its first route by its name', () => {
  assert.equal(to('shop.example.com', '/cart'), "curl -H 'Host: shop.example.com' http://172.30.200.1/cart");
  assert.equal(to('', ''), 'curl http://172.30.200.1/');
  assert.equal(to('*.example.com', '/'), "curl -H 'Host: any.example.com' http://172.30.200.1/");
  assert.equal(curlOf({ ...ingress('a/b', 'c'), routes: [] }, '1.2.3.4'), '');
});

test('a pattern is no path to be asked for', () =>
  assert.equal(to('a.b', '/x(/|$)(.*)'), "curl -H 'Host: a.b' http://172.30.200.1/"));

test('with TLS the name is told there', () =>
  assert.equal(
    to('shop.example.com', '/', true),
    'curl -k --resolve shop.example.com:443:172.30.200.1 https://shop.example.com/',
  ));

test('what is published belongs to one Service', () => {
  const type = 'LoadBalancer';
  const list = [{ service: 'shop/web', port: 80, type, host: '127.0.0.1:8080' }, { service: 'shop/web-2', port: 80, type }];
  assert.deepEqual(publishedOf(list, service('shop/web', [])), [list[0]]);
});
