/**
 * The variables that Kubernetes sets in every container for a Service called `tokenpair…`, with the form of their values. A
 * setting such as `TOKENPAIR_METRICS_PORT` can have the same name as one of these variables, so the value must match too.
 *
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
const shapes: readonly (readonly [name: RegExp, value: RegExp])[] = [
  [/^TOKENPAIR(_[A-Z0-9]+)*_SERVICE_HOST$/, /^[\d.]+$|^[\da-f:.]*:[\da-f:.]*$/i],
  [/^TOKENPAIR(_[A-Z0-9]+)*_SERVICE_PORT(_\w+)?$/, /^\d+$/],
  [/^TOKENPAIR(_[A-Z0-9]+)*_PORT(_\d+_(TCP|UDP))?$/, /^(tcp|udp):\/\/\S+:\d+$/],
  [/^TOKENPAIR(_[A-Z0-9]+)*_PORT_\d+_(TCP|UDP)_PROTO$/, /^(tcp|udp)$/],
  [/^TOKENPAIR(_[A-Z0-9]+)*_PORT_\d+_(TCP|UDP)_PORT$/, /^\d+$/],
  [/^TOKENPAIR(_[A-Z0-9]+)*_PORT_\d+_(TCP|UDP)_ADDR$/, /^[\d.]+$|^[\da-f:.]*:[\da-f:.]*$/i],
];

/** Returns whether Kubernetes created a variable for a Service called `tokenpair…`, according to its name and value. */
export function isServiceVariable(name: string, value: string): boolean {
  return shapes.some(([namePattern, valuePattern]) => namePattern.test(name) && valuePattern.test(value));
}
