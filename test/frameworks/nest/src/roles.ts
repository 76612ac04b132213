import { type CanActivate, type ExecutionContext, ForbiddenException, UseGuards } from "@nestjs/common";

/** Requires that the access token has this role. */
export function RequireRole(role: string) {
  const guard: CanActivate = {
    canActivate(context: ExecutionContext) {
      if (context.switchToHttp().getRequest().auth?.payload["role"] === role) return true;
      throw new ForbiddenException({ detail: `Only for the role ${role}.`, code: "permission_denied" });
    },
  };
  return UseGuards(guard);
}
