package verifier

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"unicode/utf8"
)

var errInvalid = errors.New("invalid")

// A verifyingKey checks signatures with its one algorithm.
type verifyingKey struct {
	alg    string
	verify func(signed, signature []byte) bool
}

// A keySet is what one body of the JWK Set says.
type keySet struct {
	version uint32
	byKid   map[string]verifyingKey
}

type jwk struct{ Kty, Crv, X, Y, N, E, Use, Alg, Kid string }

func parseKeys(body []byte) (*keySet, error) {
	var document struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(body, &document); err != nil {
		return nil, err
	}
	hash := sha256.Sum256(body)
	set := &keySet{binary.BigEndian.Uint32(hash[:]), map[string]verifyingKey{}}
	seen := map[string]bool{}
	for _, raw := range document.Keys {
		var k jwk
		// A key that can't be read may still have a kid, which another one then can't have.
		err := json.Unmarshal(raw, &k)
		isTwin := seen[k.Kid]
		seen[k.Kid] = true
		if isTwin {
			delete(set.byKid, k.Kid)
		} else if verify := toVerify(k); err == nil && verify != nil && k.Kid != "" && (k.Use == "" || k.Use == "sig") {
			set.byKid[k.Kid] = verifyingKey{k.Alg, verify}
		}
	}
	if len(set.byKid) == 0 {
		return nil, errors.New("the issuer publishes no key that can be used")
	}
	return set, nil
}

// toVerify returns nil for a key that this verifier can't use. Add your issuer's algorithm if it is another one.
func toVerify(k jwk) func(signed, signature []byte) bool {
	switch {
	case k.Alg == "ES256" && k.Kty == "EC" && k.Crv == "P-256":
		key := &ecdsa.PublicKey{Curve: elliptic.P256(), X: toInt(k.X), Y: toInt(k.Y)} // 0 if malformed: not on the curve
		if !key.IsOnCurve(key.X, key.Y) {
			return nil
		}
		return func(signed, signature []byte) bool {
			if len(signature) != 64 {
				return false
			}
			hash := sha256.Sum256(signed)
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			return ecdsa.Verify(key, hash[:], r, s)
		}
	case k.Alg == "EdDSA" && k.Kty == "OKP" && k.Crv == "Ed25519":
		key, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil
		}
		return func(signed, signature []byte) bool { return ed25519.Verify(key, signed, signature) }
	case k.Alg == "RS256" && k.Kty == "RSA":
		key := &rsa.PublicKey{N: toInt(k.N), E: int(toInt(k.E).Int64())}
		if key.N.BitLen() < 2048 {
			return nil
		}
		return func(signed, signature []byte) bool {
			hash := sha256.Sum256(signed)
			return rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], signature) == nil
		}
	}
	return nil
}

func toInt(text string) *big.Int {
	data, _ := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(data)
}

type jws struct {
	header    map[string]json.RawMessage
	payload   []byte
	signed    []byte
	signature []byte
}

func parseJWS(token string) (*jws, error) {
	parts := strings.Split(token, ".")
	if len(token) > 8192 || len(parts) != 3 {
		return nil, errInvalid
	}
	var decoded [3][]byte
	for i, part := range parts {
		data, err := base64.RawURLEncoding.DecodeString(part)
		// Go's decoder skips line breaks and ignores unused bits.
		if err != nil || len(data) == 0 || base64.RawURLEncoding.EncodeToString(data) != part {
			return nil, errInvalid
		}
		decoded[i] = data
	}
	header, err := parseObject(decoded[0])
	if err != nil {
		return nil, err
	}
	signed := token[:len(parts[0])+1+len(parts[1])]
	return &jws{header, decoded[1], []byte(signed), decoded[2]}, nil
}

// parseObject parses a JSON object in which no name occurs twice.
func parseObject(data []byte) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	if !utf8.Valid(data) || json.Unmarshal(data, &object) != nil || object == nil {
		return nil, errInvalid
	}
	if err := requireUniqueNames(json.NewDecoder(bytes.NewReader(data))); err != nil {
		return nil, err
	}
	return object, nil
}

// requireUniqueNames reads one value.
func requireUniqueNames(decoder *json.Decoder) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	delimiter, isDelimiter := token.(json.Delim)
	if !isDelimiter {
		return nil
	}
	names := map[string]bool{}
	for decoder.More() {
		if delimiter == '{' {
			name, err := decoder.Token()
			if err != nil {
				return err
			}
			if names[name.(string)] {
				return errInvalid
			}
			names[name.(string)] = true
		}
		if err := requireUniqueNames(decoder); err != nil {
			return err
		}
	}
	_, err = decoder.Token()
	return err
}
