package verifier

import (
	"context"
	"encoding/json"
	"net/http"
)

type contextKey struct{}

// RequireUser lets requests with a valid access token through. ClaimsOf returns their claims.
func (v *Verifier) RequireUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := v.Authenticate(r.Header.Get("Authorization"))
		if err != nil {
			err.(*Refusal).write(w)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, claims)))
	})
}

// ClaimsOf returns the claims of a request that RequireUser has let through.
func ClaimsOf(r *http.Request) *Claims { return r.Context().Value(contextKey{}).(*Claims) }

func (r *Refusal) write(w http.ResponseWriter) {
	body := map[string]any{"detail": r.Message, "code": r.Code}
	if r.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	} else {
		challenge := `Bearer realm="api"`
		if r.Code == notValid {
			challenge += `, error="invalid_token"`
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	if r.Code == notValid && r.Message != noUser {
		body["detail"] = "Given token not valid for any token type"
		message := map[string]string{"token_class": "AccessToken", "token_type": "access", "message": r.Message}
		body["messages"] = []any{message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(r.Status)
	_ = json.NewEncoder(w).Encode(body)
}
