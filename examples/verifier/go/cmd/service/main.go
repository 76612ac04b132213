// A service whose requests need an access token: go run ./cmd/service, then http://127.0.0.1:8011/
package main

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"

	"example.com/tokenpair/verifier"
)

func main() {
	v := verifier.New(verifier.Config{
		Issuer:     os.Getenv("TOKENPAIR_ISSUER"),
		Audience:   os.Getenv("TOKENPAIR_AUDIENCE"),
		URL:        os.Getenv("TOKENPAIR_URL"),
		Credential: os.Getenv("TOKENPAIR_FEED_CREDENTIAL"),
	})
	go v.Run(context.Background(), func(err error) { log.Print(err) })

	port := os.Getenv("PORT")
	if port == "" {
		port = "8011"
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	log.Fatal(http.Serve(listener, v.RequireUser(http.HandlerFunc(whoAmI))))
}

func whoAmI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"user": verifier.ClaimsOf(r).UserID})
}
