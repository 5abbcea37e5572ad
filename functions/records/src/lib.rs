//! The Worker that owns the Durable Object class `Records`. The Worker itself serves no request: the other Workers
//! reach the objects through their binding.

#[cfg(target_arch = "wasm32")]
mod history;
#[cfg(target_arch = "wasm32")]
mod maintenance;
#[cfg(target_arch = "wasm32")]
mod moving;
#[cfg(target_arch = "wasm32")]
mod object;
#[cfg(target_arch = "wasm32")]
mod table;

#[cfg(target_arch = "wasm32")]
#[worker::event(fetch)]
async fn fetch(_: worker::Request, _: worker::Env, _: worker::Context) -> worker::Result<worker::Response> {
    worker::Response::error("Not found", 404)
}
