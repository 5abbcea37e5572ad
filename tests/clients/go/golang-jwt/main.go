package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

func main() {
	keys, err := keyfunc.NewDefault([]string{os.Getenv("ISSUER") + "/jwks"})
	if err != nil {
		log.Fatal(err)
	}
	// docs: begin
	parser := jwt.NewParser(jwt.WithIssuer(os.Getenv("ISSUER")), jwt.WithAudience(os.Getenv("RESOURCE")),
		jwt.WithExpirationRequired(), jwt.WithValidMethods([]string{"ES256"}))
	http.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		claims := jwt.MapClaims{}
		token, err := parser.ParseWithClaims(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), claims, keys.Keyfunc)
		if err != nil || token.Header["typ"] != "at+jwt" { // the package compares no type
			http.Error(w, "invalid_token", http.StatusUnauthorized)
			return
		}
		if scope, _ := claims["scope"].(string); !slices.Contains(strings.Fields(scope), "orders:read") {
			http.Error(w, "insufficient_scope", http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(w).Encode(claims)
	})
	// docs: end
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
