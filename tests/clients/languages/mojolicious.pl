# A client with Mojolicious. See clients.ts for the arguments and the output.
use Mojo::Base -strict;
use utf8;
use Mojo::UserAgent;
use Mojo::Util qw(encode);
use Mojo::WebSocket qw(WS_PING WS_PONG);

$| = 1;
my @TEXTS = ('', 'Hello', 'Ahoj, žluťoučký kůň; 日本語; 👋🏽', '語' x 33_334);
my @BINARIES = map { pack 'C*', map { $_ % 251 } 0 .. $_ - 1 } 0, 126, 102_400;
my @MESSAGES = ((map { {text => encode 'UTF-8', $_} } @TEXTS), (map { {binary => $_} } @BINARIES));

my $agent = Mojo::UserAgent->new;

# Calls back with a connection, and goes on when it has ended.
sub connect_to {
    my ($url, $callback) = @_;
    my $transaction = $agent->build_websocket_tx($url, ['other', 'chat']);
    # It offers nothing by default.
    $transaction->req->headers->sec_websocket_extensions('permessage-deflate');
    $agent->start($transaction => sub {
        my (undef, $socket) = @_;
        die "Cannot connect: " . $socket->error->{message} unless $socket->is_websocket;
        $socket->max_websocket_size(1_000_000);
        $callback->($socket);
        $socket->on(finish => sub { Mojo::IOLoop->stop });
    });
    Mojo::IOLoop->start;
}

sub converse {
    my ($socket) = @_;
    say 'subprotocol ', $socket->protocol;
    my $extensions = $socket->res->headers->sec_websocket_extensions;
    say "extensions $extensions" if $extensions;
    my @messages = @MESSAGES;
    my ($received, $echoes) = (0, 0);
    my $message = sub {
        my ($type, $payload) = @_;
        if ($received == @messages) {
            say $payload;
            return $socket->send('close me');
        }
        my $sent = $messages[$received++]->{$type};
        $echoes++ if defined $sent && $sent eq $payload;
        return if $received < @messages;
        say "echoes $echoes";
        $socket->send([1, 0, 0, 0, WS_PING, 'are you there']);
    };
    $socket->on(text   => sub { $message->(text => pop) });
    $socket->on(binary => sub { $message->(binary => pop) });
    $socket->on(frame => sub {
        my $frame = pop;
        return unless $frame->[4] == WS_PONG;
        say "pong $frame->[5]";
        $socket->send('ping me');
    });
    $socket->on(finish => sub { my (undef, $code, $reason) = @_; say "closed $code $reason" });
    # The compressor has nothing to flush for an empty message after another one. Mojolicious then sends
    # an empty payload, which is no DEFLATE.
    splice @messages, 4, 1 if $extensions;
    $socket->send($_) for @messages;
}

sub leave {
    my ($socket) = @_;
    # This is what the client has sent: it does not tell the answer.
    $socket->on(finish => sub { say 'left' });
    $socket->finish(4000, 'done');
}

shift;
while (my ($version, $handshakes, $url) = splice @ARGV, 0, 3) {
    say "connect $url";
    connect_to($url, \&converse);
    connect_to($url, \&leave);
    say "handshakes $handshakes";
}
