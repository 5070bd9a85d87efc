# A client with Protocol::WebSocket, which knows draft75, draft76 and the versions 8 and 13. It leaves
# the socket to us. See clients.ts for the arguments and the output.
use strict;
use warnings;
use utf8;
use Encode qw(encode_utf8);
use IO::Socket::INET;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Client;

$| = 1;
my %VERSIONS = (
    75 => 'draft-hixie-75',
    76 => 'draft-ietf-hybi-00',
    8  => 'draft-ietf-hybi-10',
    13 => 'draft-ietf-hybi-17',
);
my @TEXTS = ('', 'Hello', 'Ahoj, žluťoučký kůň; 日本語; 👋🏽', '語' x 33_334);
my @BINARIES = map { pack 'C*', map { $_ % 251 } 0 .. $_ - 1 } 0, 126, 102_400;

# The part of a connection that the module does not have.
sub connect_to {
    my ($url, $version) = @_;
    my $handshake =
      Protocol::WebSocket::Handshake::Client->new(url => $url, version => $VERSIONS{$version});
    $handshake->req->subprotocol('chat');
    my ($address) = $url =~ m{//([^/]+)};
    my $socket = IO::Socket::INET->new($address) or die "Cannot connect: $@";
    my $self = {socket => $socket, version => $VERSIONS{$version}, draft => $version > 13};
    my $request = $handshake->to_string;
    syswrite $socket, $request;
    my $response = '';
    until ($handshake->is_done) {
        sysread $socket, $response, 65_536, length $response or die 'No handshake';
        $handshake->parse($response) or die $handshake->error . " after $request";
    }
    $self->{subprotocol} = $handshake->res->subprotocol;
    $self->{frames} = Protocol::WebSocket::Frame->new(
        version => $self->{version}, max_payload_size => 1_000_000,
    );
    $self->{frames}->append($response);
    return $self;
}

sub send_frame {
    my ($self, $type, $payload) = @_;
    my $frame = Protocol::WebSocket::Frame->new(
        type => $type, buffer => $payload, version => $self->{version}, masked => 1,
        max_payload_size => 1_000_000,
    )->to_bytes;
    my $sent = 0;
    while ($sent < length $frame) {
        $sent += syswrite($self->{socket}, $frame, length($frame) - $sent, $sent) // die "Cannot write: $!";
    }
}

# The next message or control frame, except a ping, which is answered. Nothing at the end.
sub receive {
    my ($self) = @_;
    while (1) {
        my $payload = $self->{frames}->next_bytes;
        if (!defined $payload) {
            sysread $self->{socket}, my $chunk, 65_536 or return;
            $self->{frames}->append($chunk);
        }
        elsif ($self->{frames}->is_ping) { send_frame($self, 'pong', $payload) }
        else { return $payload }
    }
}

sub close_code {
    my ($payload) = @_;
    return '' unless length $payload;
    return join ' ', unpack 'na*', $payload;
}

sub converse {
    my ($self) = @_;
    print "subprotocol $self->{subprotocol}\n";
    my @messages = map { [text => encode_utf8 $_] } @TEXTS;
    push @messages, map { [binary => $_] } @BINARIES unless $self->{draft};
    send_frame($self, @$_) for @messages;
    my $echoes = 0;
    for (@messages) {
        my ($type, $payload) = @$_;
        my $received = receive($self);
        my $is_type = $type eq 'text' ? $self->{frames}->is_text : $self->{frames}->is_binary;
        $echoes++ if $received eq $payload && $is_type;
    }
    print "echoes $echoes\n";
    unless ($self->{draft}) {
        send_frame($self, ping => 'are you there');
        print 'pong ', receive($self), "\n";
        send_frame($self, text => 'ping me');
        print receive($self), "\n";
    }
    send_frame($self, text => 'close me');
    if (defined(my $payload = receive($self))) {
        die 'No close frame' unless $self->{frames}->is_close;
        send_frame($self, close => $payload);
        print 'closed ', close_code($payload), "\n";
        defined receive($self) and die 'A frame after the close frame';
    }
    # draft75 has no close frame: the server ends the connection.
    else { print "closed \n" }
}

sub leave {
    my ($self) = @_;
    if ($self->{version} eq $VERSIONS{75}) {
        shutdown $self->{socket}, 1;
        defined receive($self) and die 'A frame after the end';
        return '';
    }
    send_frame($self, close => $self->{draft} ? '' : pack 'na*', 4000, 'done');
    my $payload = receive($self);
    die 'No close frame' unless $self->{frames}->is_close;
    return close_code($payload);
}

my $seed = shift;
srand $seed;
while (my ($version, $handshakes, $url) = splice @ARGV, 0, 3) {
    print "connect $url\n";
    converse(connect_to($url, $version));
    print 'left ', leave(connect_to($url, $version)), "\n";
    for (1 .. $handshakes) {
        my $self = connect_to($url, $version);
        send_frame($self, text => 'Hello');
        receive($self) eq 'Hello' or die 'No echo';
        leave($self);
    }
    print "handshakes $handshakes\n";
}
