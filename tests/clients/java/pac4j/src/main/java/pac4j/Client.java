package pac4j;

import io.javalin.Javalin;
import org.pac4j.core.config.Config;
import org.pac4j.core.profile.ProfileManager;
import org.pac4j.javalin.*;
import org.pac4j.jee.context.session.JEESessionStore;
import org.pac4j.oidc.client.OidcClient;
import org.pac4j.oidc.config.OidcConfiguration;

public class Client {
    public static void main(String[] arguments) {
        var origin = "http://127.0.0.1:" + System.getenv("PORT");
        // docs: begin
        var oidc = new OidcConfiguration();
        oidc.setDiscoveryURI(System.getenv("ISSUER") + "/.well-known/openid-configuration");
        oidc.setClientId(System.getenv("CLIENT_ID"));
        oidc.setSecret(System.getenv("CLIENT_SECRET"));
        oidc.setScope("openid profile email");
        var client = new OidcClient(oidc);
        client.setCallbackUrl(origin + "/callback"); // the redirect URI is this with ?client_name=OidcClient
        var config = new Config(client);

        var app = Javalin.create();
        app.get("/callback", new CallbackHandler(config, "/", true));
        app.before("/", new SecurityHandler(config, "OidcClient"));
        app.get("/", context -> {
            var profiles = new ProfileManager(new JavalinWebContext(context), new JEESessionStore());
            context.json(profiles.getProfile().orElseThrow().getAttributes());
        });
        var logout = new LogoutHandler(config, "/");
        logout.centralLogout = true;
        app.get("/logout", logout);
        // docs: end
        app.start("127.0.0.1", Integer.parseInt(System.getenv("PORT")));
    }
}
