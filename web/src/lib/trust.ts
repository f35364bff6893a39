// The browser turns no string into a script or into HTML, except what this names (Trusted Types; the policy is in engine/web/guard.go).
// Only one may be made in a page, before the first use.
interface Policy { createScriptURL(u: string): string | null; createHTML?(s: string): string }

export const trust = (p: Policy) => (self as { trustedTypes?: { createPolicy(name: string, p: Policy): void } }).trustedTypes?.createPolicy('default', p)
