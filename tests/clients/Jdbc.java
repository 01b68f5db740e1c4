import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

public class Jdbc {
    static final String OPERATIONS = """
        [{"upsert": [
            {"id": 1, "name": "Ann", "total": 9007199254740993, "price": 1.10, "tags": ["a", "b"]},
            {"id": 2, "name": "Bob", "tags": ["b"]},
            {"id": 3, "name": "O'Brien"}]}]
        """;

    public static void main(String[] args) throws SQLException {
        var env = System.getenv();
        var url = "jdbc:postgresql://%s:%s/%s"
            .formatted(env.get("PGHOST"), env.get("PGPORT"), env.get("PGDATABASE"));
        var properties = new Properties();
        properties.setProperty("user", env.get("PGUSER"));
        properties.setProperty("password", env.get("PGPASSWORD"));
        try (Connection connection = DriverManager.getConnection(url, properties)) {
            // A string is sent as varchar, which needs the cast to become jsonb.
            try (var update = connection.prepareStatement("SELECT session_update(?, ?::jsonb)")) {
                update.setString(1, "clients");
                update.setString(2, OPERATIONS);
                update.execute();
            }

            // In JDBC, ? is a parameter, and the operator ? of jsonb is written ??. @@@ needs nothing.
            var sql = """
                SELECT count(*) OVER (), doc ->> 'total', doc ->> 'price'
                FROM sessions.clients WHERE doc @@@ ? AND doc ?? 'total'
                """;
            try (var query = connection.prepareStatement(sql)) {
                query.setString(1, "name:Ann AND tags:b");
                ResultSet rows = query.executeQuery();
                rows.next();
                System.out.printf("%d match, total %s, price %s%n",
                    rows.getLong(1), rows.getBigDecimal(2), rows.getBigDecimal(3));
            }

            // The driver reads all rows at once, unless it is in a transaction and has a fetch size.
            connection.setAutoCommit(false);
            sql = "SELECT session_stream('clients', ?, sort => 'id asc') ->> 'id'";
            try (PreparedStatement stream = connection.prepareStatement(sql)) {
                stream.setFetchSize(1000);
                stream.setString(1, "*:*");
                ResultSet rows = stream.executeQuery();
                System.out.print("streamed");
                while (rows.next()) {
                    System.out.print(" " + rows.getString(1));
                }
                System.out.println();
            }
            connection.commit();

            // getString reads any type.
            try (var alert = connection.prepareStatement("SELECT q FROM alerts WHERE id = ?")) {
                alert.setInt(1, 1);
                ResultSet rows = alert.executeQuery();
                rows.next();
                System.out.println("alert " + rows.getString(1));
            }
        }
    }
}
