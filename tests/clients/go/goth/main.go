package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/gorilla/sessions"
	"github.com/markbates/goth"
	"github.com/markbates/goth/gothic"
	"github.com/markbates/goth/providers/openidConnect"
)

func main() {
	origin := "http://127.0.0.1:" + os.Getenv("PORT")
	// docs: begin
	// The package sends neither a code challenge nor a nonce: the client needs require_nonce=false.
	provider, err := openidConnect.New(os.Getenv("CLIENT_ID"), os.Getenv("CLIENT_SECRET"), origin+"/auth/openid-connect/callback",
		os.Getenv("ISSUER")+"/.well-known/openid-configuration", "profile", "email")
	if err != nil {
		log.Fatal(err)
	}
	goth.UseProviders(provider)
	gothic.Store = sessions.NewCookieStore([]byte("a secret of the application"))
	// docs: end

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		gothic.BeginAuthHandler(w, gothic.GetContextWithProvider(r, "openid-connect"))
	})
	http.HandleFunc("/auth/openid-connect/callback", func(w http.ResponseWriter, r *http.Request) {
		user, err := gothic.CompleteUserAuth(w, gothic.GetContextWithProvider(r, "openid-connect"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := json.NewEncoder(w).Encode(user); err != nil {
			log.Print(err)
		}
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
