//! Ties a register to the tonic service of its contract. The contract's messages follow one pattern of names, so one
//! macro writes what would be the same in every register.

/// Implements the six standard methods of a register's service.
///
/// ```ignore
/// register_api! {
///     package: minsheng_proto::health::v1,
///     register: Institutions,
///     resource: Institution as institution,
///     plural: Institutions as institutions,
/// }
/// ```
///
/// makes `InstitutionRpc`, which implements `InstitutionService`, and [`Envelope`](crate::register::Envelope) for the
/// register. With `create: create_with_evidence,` at the end, a creation asks another department first, for an
/// [`EvidenceRegister`](crate::register::EvidenceRegister). Methods that the service has beside the six stand behind it,
/// in `beside: { … },`.
#[macro_export]
macro_rules! register_api {
    (
        package: $($package:ident)::+,
        register: $register:ty,
        resource: $resource:ident as $field:ident,
        plural: $plural:ident as $plural_field:ident $(,)?
    ) => {
        $crate::register_api! {
            package: $($package)::+,
            register: $register,
            resource: $resource as $field,
            plural: $plural as $plural_field,
            create: create,
        }
    };
    (
        package: $($package:ident)::+,
        register: $register:ty,
        resource: $resource:ident as $field:ident,
        plural: $plural:ident as $plural_field:ident,
        create: $create:ident $(, beside: { $($beside:tt)* })? $(,)?
    ) => { $crate::pastey::paste! {
        /// The contract's service over the register.
        #[derive(Clone)]
        pub struct [<$resource Rpc>] {
            engine: $crate::register::Engine<$register>,
        }

        impl [<$resource Rpc>] {
            const SERVICE: &'static str =
                $($package)::+::[<$field _service_server>]::SERVICE_NAME;

            /// Makes the service of the register.
            pub fn new(register: $register, context: $crate::context::Context) -> Self {
                Self { engine: $crate::register::Engine::new(register, context) }
            }

            /// Returns the engine behind the service.
            pub fn engine(&self) -> &$crate::register::Engine<$register> {
                &self.engine
            }
        }

        impl $crate::register::RegisterService for [<$resource Rpc>] {
            type Register = $register;
            type Server = $($package)::+::[<$field _service_server>]::[<$resource ServiceServer>]<Self>;

            fn engine(&self) -> &$crate::register::Engine<$register> {
                &self.engine
            }

            fn into_service(self) -> Self::Server {
                $($package)::+::[<$field _service_server>]::[<$resource ServiceServer>]::new(self)
                    .max_decoding_message_size($crate::rpc::LARGEST_MESSAGE)
                    .max_encoding_message_size($crate::rpc::LARGEST_MESSAGE)
            }
        }

        #[tonic::async_trait]
        impl $($package)::+::[<$field _service_server>]::[<$resource Service>] for [<$resource Rpc>] {
            async fn [<create_ $field>](
                &self,
                request: tonic::Request<$($package)::+::[<Create $resource Request>]>,
            ) -> Result<tonic::Response<$($package)::+::[<Create $resource Response>]>, tonic::Status> {
                let method = concat!("Create", stringify!($resource));
                let (key, message) = $crate::rpc::repeatable(Self::SERVICE, method, request, |m| &m.request_id)?;
                let $field = $crate::rpc::required(stringify!($field), message.$field)?;
                let $field = self.engine.$create(key, $field, message.effective_on).await?;
                Ok(tonic::Response::new($($package)::+::[<Create $resource Response>] { $field: Some($field) }))
            }

            async fn [<get_ $field>](
                &self,
                request: tonic::Request<$($package)::+::[<Get $resource Request>]>,
            ) -> Result<tonic::Response<$($package)::+::[<Get $resource Response>]>, tonic::Status> {
                let message = $crate::rpc::checked(request)?;
                let $field = self.engine.get(&message.name, message.on).await?;
                Ok(tonic::Response::new($($package)::+::[<Get $resource Response>] { $field: Some($field) }))
            }

            async fn [<list_ $plural_field>](
                &self,
                request: tonic::Request<$($package)::+::[<List $plural Request>]>,
            ) -> Result<tonic::Response<$($package)::+::[<List $plural Response>]>, tonic::Status> {
                let message = $crate::rpc::checked(request)?;
                let page = self.engine.list($crate::register::ListRequest {
                    area: &message.area,
                    page_size: message.page_size,
                    page_token: &message.page_token,
                    on: message.on,
                    in_force_only: message.in_force_only,
                }).await?;
                Ok(tonic::Response::new($($package)::+::[<List $plural Response>] {
                    $plural_field: page.items,
                    next_page_token: page.next_page_token,
                }))
            }

            async fn [<update_ $field>](
                &self,
                request: tonic::Request<$($package)::+::[<Update $resource Request>]>,
            ) -> Result<tonic::Response<$($package)::+::[<Update $resource Response>]>, tonic::Status> {
                let method = concat!("Update", stringify!($resource));
                let (key, message) =
                    $crate::rpc::repeatable_partial(Self::SERVICE, method, stringify!($field), request, |m| {
                        &m.request_id
                    })?;
                let $field = $crate::rpc::required(stringify!($field), message.$field)?;
                let update = $crate::register::Update {
                    etag: message.etag,
                    update_mask: message.update_mask,
                    effective_on: message.effective_on,
                    correct_on: message.correct_on,
                    correct_all: message.correct_all,
                    resume: message.resume,
                };
                let $field = self.engine.update(key, $field, update).await?;
                Ok(tonic::Response::new($($package)::+::[<Update $resource Response>] { $field: Some($field) }))
            }

            async fn [<end_ $field>](
                &self,
                request: tonic::Request<$($package)::+::[<End $resource Request>]>,
            ) -> Result<tonic::Response<$($package)::+::[<End $resource Response>]>, tonic::Status> {
                let method = concat!("End", stringify!($resource));
                let (key, message) = $crate::rpc::repeatable(Self::SERVICE, method, request, |m| &m.request_id)?;
                let end = $crate::register::End {
                    etag: message.etag,
                    kind: message.kind,
                    ended_on: message.ended_on,
                    effective_on: message.effective_on,
                };
                let $field = self.engine.end(key, &message.name, end).await?;
                Ok(tonic::Response::new($($package)::+::[<End $resource Response>] { $field: Some($field) }))
            }

            type [<Upload $plural Stream>] =
                $crate::rpc::AnswerStream<$($package)::+::[<Upload $plural Response>]>;

            async fn [<upload_ $plural_field>](
                &self,
                request: tonic::Request<tonic::Streaming<$($package)::+::[<Upload $plural Request>]>>,
            ) -> Result<tonic::Response<Self::[<Upload $plural Stream>]>, tonic::Status> {
                let method = concat!("Upload", stringify!($plural));
                let list = $crate::register::List {
                    field: stringify!($plural_field),
                    of: |chunk: &mut $($package)::+::[<Upload $plural Request>]| &mut chunk.$plural_field,
                };
                let take = |chunk: $($package)::+::[<Upload $plural Request>]| $crate::register::Chunk {
                    upload_id: chunk.upload_id,
                    number: chunk.chunk,
                    validate_only: chunk.validate_only,
                };
                let answer = |chunk, results| $($package)::+::[<Upload $plural Response>] { chunk, results };
                let answers = self.engine.upload(Self::SERVICE, method, request, list, take, answer)?;
                Ok(tonic::Response::new(answers))
            }

            $($($beside)*)?
        }

        impl $crate::register::Envelope for $register {
            const COLLECTION: &'static str = stringify!($plural_field);
            const FIELD: &'static str = stringify!($field);
            type Resource = $($package)::+::$resource;

            fn name(resource: &Self::Resource) -> &str {
                &resource.name
            }

            fn area(resource: &Self::Resource) -> &str {
                &resource.area
            }

            fn set_envelope(
                resource: &mut Self::Resource,
                name: String,
                area: String,
                meta: minsheng_proto::common::v1::RecordMeta,
            ) {
                resource.name = name;
                resource.area = area;
                resource.meta = Some(meta);
            }
        }
    } };
}
