package verifier

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A JSON value that isn't there is an empty RawMessage.

// checkClaims does step 5.
func (v *Verifier) checkClaims(payload map[string]json.RawMessage, now int64) (*Claims, *Refusal) {
	invalid := refuse("Token is invalid")
	const maxCount = 1<<53 - 1
	latest := now + int64(v.config.ClockTolerance.Seconds())
	var issuedAt, notBefore, expiresAt, userEpoch, globalEpoch int64
	if !readCount(payload["iat"], maxCount, &issuedAt) || issuedAt > latest {
		return nil, invalid
	}
	if raw, found := payload["nbf"]; found && (!readCount(raw, maxCount, &notBefore) || notBefore > latest) {
		return nil, invalid
	}
	if raw, found := payload["exp"]; found {
		if !readCount(raw, maxCount, &expiresAt) {
			return nil, invalid
		}
		if leeway := int64(v.config.Leeway.Seconds()); now >= expiresAt+max(leeway, 0) {
			return nil, refuse("Token is expired")
		}
	}
	var issuer string
	if !readText(payload["iss"], &issuer) || issuer != v.config.Issuer || !hasAudience(payload["aud"], v.config.Audience) {
		return nil, invalid
	}
	for _, required := range []struct{ claim, message string }{
		{"exp", "Token has no 'exp' claim"}, {"jti", "Token has no id"}, {"token_type", "Token has no type"},
	} {
		if _, found := payload[required.claim]; !found {
			return nil, refuse(required.message)
		}
	}
	var tokenType string
	if !readText(payload["token_type"], &tokenType) {
		return nil, invalid
	}
	if tokenType != "access" {
		return nil, refuse("Token has wrong type")
	}
	if _, found := payload["user_id"]; !found {
		return nil, refuse(noUser)
	}
	c := &Claims{ExpiresAt: expiresAt, Payload: payload}
	if !readText(payload["user_id"], &c.UserID) || !readText(payload["sid"], &c.SessionID) || !readText(payload["jti"], &c.TokenID) {
		return nil, invalid
	}
	if !readCount(payload["ue"], 1<<31-1, &userEpoch) || !readCount(payload["ge"], 1<<32-1, &globalEpoch) {
		return nil, invalid
	}
	c.UserEpoch, c.GlobalEpoch = uint32(userEpoch), uint32(globalEpoch)
	return c, nil
}

// readCount reads a whole number that is written with digits only.
func readCount(raw json.RawMessage, limit int64, target *int64) bool {
	number, err := strconv.ParseUint(string(raw), 10, 63)
	*target = int64(number)
	return err == nil && *target <= limit
}

// readText reads a string that isn't empty, and has neither NUL nor half of a surrogate pair.
func readText(raw json.RawMessage, target *string) bool {
	return len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, target) == nil && *target != "" &&
		strings.IndexByte(*target, 0) < 0 && !hasLoneSurrogate(raw)
}

// hasLoneSurrogate returns whether a string has an escape that isn't a character: json.Unmarshal replaces it by U+FFFD.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		first, _ := strconv.ParseUint(string(raw[i+1:i+5]), 16, 16)
		i += 4
		if !utf16.IsSurrogate(rune(first)) {
			continue
		}
		if len(raw) < i+7 || raw[i+1] != '\\' || raw[i+2] != 'u' {
			return true
		}
		second, _ := strconv.ParseUint(string(raw[i+3:i+7]), 16, 16)
		if utf16.DecodeRune(rune(first), rune(second)) == utf8.RuneError {
			return true
		}
		i += 6
	}
	return false
}

func hasAudience(raw json.RawMessage, audience string) bool {
	var one string
	if readText(raw, &one) {
		return one == audience
	}
	var list []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return false
	}
	found := false
	for _, item := range list {
		if len(item) == 0 || item[0] != '"' || json.Unmarshal(item, &one) != nil {
			return false
		}
		found = found || one == audience
	}
	return found
}

func max(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}
