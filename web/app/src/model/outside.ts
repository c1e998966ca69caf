import type { Ingress, Service } from './things';

/** A port of a Service that the lab has at 127.0.0.1 of this machine: what `kin status` says. */
export interface Published {
  service: string;
  /** Its name, or number. */
  port: string | number;
  type: string;
  host?: string;
  error?: string;
}

export const publishedOf = (list: Published[], { ns, name }: Service): Published[] =>
  list.filter(({ service }) => service === `${ns}/${name}`);

/** A request for an Ingress' first route, to the address that it is served at. */
export function curlOf({ routes: [route], tls }: Ingress, address: string): string {
  if (!route) return '';
  const path = route.path || '/';
  // "*.example.com" is any name of that kind; a pattern of nginx is no path that one can ask for.
  const host = route.host.replace('*', 'any');
  const plain = /^[\w./~-]*$/.test(path) ? path : '/';
  // The certificate is looked up by the name that TLS tells, and is nobody's that curl knows.
  if (tls && host) return `curl -k --resolve ${host}:443:${address} https://${host}${plain}`;
  return `curl ${host ? `-H 'Host: ${host}' ` : ''}http://${address}${plain}`;
}
