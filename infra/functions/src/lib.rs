//! Every function by its name in the route table, for whoever runs them all in one process.

use runtime::Handler;

/// The function of this name; `None` when there is none.
pub fn handler(function: &str) -> Option<Handler> {
    let handler: Handler = match function {
        "admin" => |request, context| Box::pin(admin::handle(request, context)),
        "authorize" => |request, context| Box::pin(authorize::handle(request, context)),
        "consent" => |request, context| Box::pin(consent::handle(request, context)),
        "device" => |request, context| Box::pin(device::handle(request, context)),
        "introspect" => |request, context| Box::pin(introspect::handle(request, context)),
        "login" => |request, context| Box::pin(login::handle(request, context)),
        "logout" => |request, context| Box::pin(logout::handle(request, context)),
        "metadata" => |request, context| Box::pin(metadata::handle(request, context)),
        "par" => |request, context| Box::pin(par::handle(request, context)),
        "register" => |request, context| Box::pin(register::handle(request, context)),
        "revoke" => |request, context| Box::pin(revoke::handle(request, context)),
        "token" => |request, context| Box::pin(token::handle(request, context)),
        "userinfo" => |request, context| Box::pin(userinfo::handle(request, context)),
        _ => return None,
    };
    Some(handler)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_leads_to_a_function() {
        for route in runtime::routes::ROUTES {
            assert!(super::handler(route.function).is_some(), "{}", route.path);
        }
    }
}
