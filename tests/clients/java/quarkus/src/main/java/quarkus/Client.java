package quarkus;

import io.quarkus.oidc.IdToken;
import io.quarkus.security.Authenticated;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import org.eclipse.microprofile.jwt.JsonWebToken;

@Path("/")
@Authenticated
public class Client {
    @Inject
    @IdToken
    JsonWebToken user;

    @GET
    public String home() {
        return user.getClaim("name") + " " + user.getClaim("email");
    }
}
