// The connector of Dex for OpenID Connect, without the rest of Dex.
package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/dexidp/dex/connector"
	"github.com/dexidp/dex/connector/oidc"
	"github.com/sirupsen/logrus"
)

func main() {
	origin := "http://127.0.0.1:" + os.Getenv("PORT")
	config := oidc.Config{
		Issuer:       os.Getenv("ISSUER"),
		ClientID:     os.Getenv("CLIENT_ID"),
		ClientSecret: os.Getenv("CLIENT_SECRET"),
		RedirectURI:  origin + "/callback",
		Scopes:       []string{"profile", "email"},
	}
	opened, err := config.Open("latchkey", logrus.New())
	if err != nil {
		log.Fatal(err)
	}
	latchkey := opened.(connector.CallbackConnector)
	var state string // of one user, for brevity
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		state = rand.Text()
		url, err := latchkey.LoginURL(connector.Scopes{}, config.RedirectURI, state)
		if err != nil {
			log.Fatal(err)
		}
		http.Redirect(w, r, url, http.StatusFound)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("state") != state {
			http.Error(w, "unknown state", http.StatusBadRequest)
			return
		}
		identity, err := latchkey.HandleCallback(connector.Scopes{}, r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(identity)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}
